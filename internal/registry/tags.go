package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
)

// Bounds on a list of tags: of one page in bytes, of all in pages and tags.
const (
	maxTagsPage = 4 << 20
	maxTagPages = 1000
	maxTags     = 200_000
	maxQuery    = 8 << 10 // of the next page
)

// Tags lists the tags of ref's repository, in the registry's order. It leaves out names
// that the specification's grammar does not allow.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
//
// Errors: *Error, *ProtocolError.
func (c *Client) Tags(ctx context.Context, ref ociref.Reference) ([]string, error) {
	var tags []string
	path := "/v2/" + ref.Repository + "/tags/list"
	query, seen := "n=1000", map[string]bool{}
	for !seen[query] {
		if seen[query] = true; len(seen) > maxTagPages {
			return nil, c.tagsError(ref, fmt.Errorf("more than %d pages of tags", maxTagPages))
		}
		page, next, more, err := c.tagsPage(ctx, ref, path, query)
		if err != nil {
			return nil, err
		}
		if tags = append(tags, page...); len(tags) > maxTags {
			return nil, c.tagsError(ref, fmt.Errorf("more than %d tags", maxTags))
		}
		if !more {
			return tags, nil
		}
		query = next
	}
	return nil, c.tagsError(ref, errors.New("the next page of tags is one that was there before"))
}

// tagsPage reads one page, and the query of the next one if there are more.
func (c *Client) tagsPage(ctx context.Context, ref ociref.Reference, path, query string) (tags []string, next string, more bool, err error) {
	err = c.retry(ctx, func(ctx context.Context) error {
		resp, err := c.send(ctx, ref, request{method: http.MethodGet, accept: "application/json"}, path+"?"+query)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if tags, err = readTags(resp); err != nil {
			return err
		}
		list := c.host(ref.Registry).url()
		list.Path, list.RawQuery = path, query
		next, more, err = nextQuery(resp.Header.Values("Link"), list, "tags")
		if err != nil {
			return c.tagsError(ref, err)
		}
		return nil
	})
	return tags, next, more, err
}

func readTags(resp *http.Response) ([]string, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTagsPage+1))
	if err != nil {
		return nil, newError(resp.Request, fmt.Errorf("the list of tags broke off: %w", asTransient(err)))
	}
	var page struct {
		Tags []string `json:"tags"`
	}
	if len(body) > maxTagsPage {
		return nil, &ProtocolError{Reason: fmt.Sprintf("a page of tags is larger than %d bytes", maxTagsPage)}
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, &ProtocolError{Reason: "the list of tags is not what the specification says"}
	}
	var tags []string
	for _, tag := range page.Tags {
		if ociref.CheckTag(tag) == nil {
			tags = append(tags, tag)
		}
	}
	return tags, nil
}

// nextQuery returns the query of the next page if there are more, from the Link headers of
// a list. It accepts only the same list: a registry cannot send packvendor elsewhere.
// https://www.rfc-editor.org/rfc/rfc8288
func nextQuery(links []string, list *url.URL, of string) (next string, more bool, err error) {
	for link := range strings.SplitSeq(strings.Join(links, ","), "<") {
		target, parameters, ok := strings.Cut(link, ">")
		if !ok || !isNext(parameters) {
			continue
		}
		page, err := list.Parse(target)
		if err != nil {
			return "", false, fmt.Errorf("the link to the next page of %s is no URL", of)
		}
		if page.Scheme != list.Scheme || hostOf(page) != hostOf(list) || page.Path != list.Path {
			return "", false, fmt.Errorf("the next page of %s is said to be elsewhere", of)
		}
		if len(page.RawQuery) > maxQuery {
			return "", false, fmt.Errorf("the link to the next page of %s has more than %d bytes", of, maxQuery)
		}
		return page.RawQuery, true, nil
	}
	return "", false, nil
}

func isNext(parameters string) bool {
	for parameter := range strings.SplitSeq(strings.TrimRight(parameters, " ,"), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if strings.EqualFold(name, "rel") && strings.EqualFold(strings.Trim(value, `"`), "next") {
			return true
		}
	}
	return false
}

// tagsError returns an Error about the list of ref's tags.
func (c *Client) tagsError(ref ociref.Reference, err error) error {
	u := c.host(ref.Registry).url()
	u.Path += ref.Repository + "/tags/list"
	return listError(u, err)
}
