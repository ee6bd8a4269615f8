package fault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/greenticai/packvendor/internal/packtest"
)

// The faults of this file meet every tag list.

func tagLists(r *http.Request) bool {
	_, kind, reference := packtest.Endpoint(r.URL.Path)
	return kind == "tags" && reference == "list"
}

// TagsLink claims on every page that the next one is at url.
func TagsLink(url string) packtest.Fault {
	return headed(tagLists, set("Link", "<"+url+`>; rel="next"`))
}

// TagsLinkFrom spells the honest link to the next page in another way: base
// replaces its path, so that "" and "list" make a relative one and a URL an
// absolute one.
func TagsLinkFrom(base string) packtest.Fault {
	return headed(tagLists, func(h http.Header) {
		if _, query, ok := strings.Cut(h.Get("Link"), "?"); ok {
			h.Set("Link", "<"+base+"?"+query)
		}
	})
}

// EndlessTags serves page after page of one tag, each with a link to the next.
func EndlessTags() packtest.Fault {
	return packtest.Fault{Match: tagLists, Serve: altered(func(w http.ResponseWriter, r *http.Request, a answer) {
		page, _ := strconv.Atoi(r.URL.Query().Get("last"))
		page++
		w.Header().Set("Link", fmt.Sprintf(`<%s?last=%d>; rel="next"`, r.URL.Path, page))
		sendTags(w, r, []string{"1.0." + strconv.Itoa(page)})
	})}
}

// TagNames lists other tags than there are, on one page.
func TagNames(tags ...string) packtest.Fault {
	return packtest.Fault{Match: tagLists, Serve: altered(func(w http.ResponseWriter, r *http.Request, _ answer) {
		w.Header().Del("Link")
		sendTags(w, r, tags)
	})}
}

// HugeTags pads every page with spaces at its end to size bytes.
func HugeTags(size int) packtest.Fault {
	return huge(tagLists, size)
}

// HostileTags returns names that are no tags, some of which mean to be versions,
// paths or words on a terminal.
func HostileTags() []string {
	return []string{
		"", ".", "..", "../../x", "1.0.0/../../x", "1.0.0\n//go:embed /etc/passwd", "\x1b[2J\x1b[31m9.9.9", "9.9.9\u202e",
		"\ufeff9.9.9", "9.9.9 ", "9.9.9\x00", "９.9.9", "9.9.9@sha256:0", "9.9.9+build", "-9.9.9", strings.Repeat("9", 129),
		"99999999999999999999.0.0",
	}
}

func sendTags(w http.ResponseWriter, r *http.Request, tags []string) {
	name, _, _ := packtest.Endpoint(r.URL.Path)
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"name": name, "tags": tags})
}
