package fault

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

// A form is a fault in a script.
type form struct {
	usage string // its name, then its arguments; brackets mark an optional one
	build func(*words) packtest.Fault
}

// forms lists the faults by name. Digests and references may be "any". Go calls the
// functions in an argument list from left to right, so they read the arguments in their
// order.
func forms() []form {
	return []form{
		{"abort-blob DIGEST BYTES", func(w *words) packtest.Fault { return AbortBlob(w.digest(), w.number()) }},
		{"ansi-error PREFIX STATUS", func(w *words) packtest.Fault { return ErrorBody(w.text(), w.number(), []byte(ANSI)) }},
		{"big-error PREFIX STATUS BYTES", func(w *words) packtest.Fault { return ErrorBody(w.text(), w.number(), padded(nil, w.number())) }},
		{"busy PREFIX REQUESTS [RETRY-AFTER]", func(w *words) packtest.Fault { return Busy(w.text(), int64(w.number()), w.optional("")) }},
		{"challenge PREFIX WWW-AUTHENTICATE", func(w *words) packtest.Fault {
			return Status(w.text(), http.StatusUnauthorized, http.Header{"WWW-Authenticate": {w.text()}})
		}},
		{"content-range DIGEST [CONTENT-RANGE]", func(w *words) packtest.Fault { return ContentRange(w.digest(), w.optional("")) }},
		{"drip-blob DIGEST MILLISECONDS", func(w *words) packtest.Fault {
			return DripBlob(w.digest(), time.Duration(w.number())*time.Millisecond)
		}},
		{"drop PREFIX", func(w *words) packtest.Fault { return Drop(w.text()) }},
		{"endless-blob DIGEST", func(w *words) packtest.Fault { return EndlessBlob(w.digest()) }},
		{"endless-tags", func(*words) packtest.Fault { return EndlessTags() }},
		{"error-body PREFIX STATUS BODY", func(w *words) packtest.Fault { return ErrorBody(w.text(), w.number(), []byte(w.text())) }},
		{"evil-manifest BODY [CONTENT-TYPE]", func(w *words) packtest.Fault {
			return EvilManifest([]byte(w.text()), w.optional(packtest.ManifestMediaType))
		}},
		{"flip-tag TAG REQUESTS DIGEST", func(w *words) packtest.Fault { return FlipTag(w.text(), int64(w.number()), w.digest()) }},
		{"freeze PREFIX", func(w *words) packtest.Fault { return Freeze(w.text()) }},
		{"freeze-blob DIGEST BYTES", func(w *words) packtest.Fault { return FreezeBlob(w.digest(), w.number()) }},
		{"go-away PREFIX", func(w *words) packtest.Fault { return GoAway(w.text()) }},
		{"go-away-blob DIGEST BYTES", func(w *words) packtest.Fault { return GoAwayBlob(w.digest(), w.number()) }},
		{"go-away-now PREFIX", func(w *words) packtest.Fault { return GoAwayNow(w.text()) }},
		{"gzip-blob DIGEST", func(w *words) packtest.Fault { return GzipBlob(w.digest()) }},
		{"gzip-bomb DIGEST BYTES", func(w *words) packtest.Fault { return GzipBomb(w.digest(), int64(w.number())) }},
		{"hostile-tags", func(*words) packtest.Fault { return TagNames(HostileTags()...) }},
		{"huge-manifest REFERENCE BYTES", func(w *words) packtest.Fault { return HugeManifest(w.any(), w.number()) }},
		{"huge-tags BYTES", func(w *words) packtest.Fault { return HugeTags(w.number()) }},
		{"long-blob DIGEST BYTES", func(w *words) packtest.Fault { return LongBlob(w.digest(), w.number()) }},
		{"lying-digest REFERENCE DIGEST", func(w *words) packtest.Fault { return LyingDigest(w.any(), w.digest()) }},
		{"manifest-type REFERENCE CONTENT-TYPE", func(w *words) packtest.Fault { return ManifestType(w.any(), w.text()) }},
		{"multipart-range DIGEST", func(w *words) packtest.Fault { return MultipartRange(w.digest()) }},
		{"no-range DIGEST", func(w *words) packtest.Fault { return NoRange(w.digest()) }},
		{"other-range DIGEST FIRST LAST", func(w *words) packtest.Fault { return OtherRange(w.digest(), w.number(), w.number()) }},
		{"other-referrers DIGEST", func(w *words) packtest.Fault { return OtherReferrers(w.digest()) }},
		{"presign-blob DIGEST URL", func(w *words) packtest.Fault { return PresignBlob(w.digest(), w.text()) }},
		{"redirect PREFIX URL", func(w *words) packtest.Fault { return Redirect(w.text(), w.text()) }},
		{"redirect-blob DIGEST URL", func(w *words) packtest.Fault { return RedirectBlob(w.digest(), w.text()) }},
		{"redirect-loop PREFIX", func(w *words) packtest.Fault { return RedirectLoop(w.text()) }},
		{"referrers-link URL", func(w *words) packtest.Fault { return ReferrersLink(w.text()) }},
		{"refuse-range DIGEST", func(w *words) packtest.Fault { return RefuseRange(w.digest()) }},
		{"reset-blob DIGEST BYTES", func(w *words) packtest.Fault { return ResetBlob(w.digest(), w.number()) }},
		{"retry-after-date PREFIX STATUS SECONDS", func(w *words) packtest.Fault { return RetryAfterDate(w.text(), w.number(), w.number()) }},
		{"see-other PREFIX URL", func(w *words) packtest.Fault { return SeeOther(w.text(), w.text()) }},
		{"short-blob DIGEST BYTES", func(w *words) packtest.Fault { return ShortBlob(w.digest(), w.number()) }},
		{"signed-once PREFIX", func(w *words) packtest.Fault { return SignedOnce(w.text()) }},
		{"stall PREFIX", func(w *words) packtest.Fault { return Stall(w.text()) }},
		{"stall-blob DIGEST BYTES", func(w *words) packtest.Fault { return StallBlob(w.digest(), w.number()) }},
		{"status PREFIX STATUS [RETRY-AFTER]", func(w *words) packtest.Fault { return Status(w.text(), w.number(), retryAfter(w.optional(""))) }},
		{"subject-as-referrers", func(*words) packtest.Fault { return SubjectAsReferrers() }},
		{"tags-link URL", func(w *words) packtest.Fault { return TagsLink(w.text()) }},
		{"tags-link-from BASE", func(w *words) packtest.Fault { return TagsLinkFrom(w.text()) }},
		{"wrong-blob DIGEST", func(w *words) packtest.Fault { return WrongBlob(w.digest()) }},
		{"wrong-range DIGEST", func(w *words) packtest.Fault { return WrongRange(w.digest()) }},
	}
}

func retryAfter(value string) http.Header {
	if value == "" {
		return nil
	}
	return http.Header{"Retry-After": {value}}
}

// New returns the fault that the words of a script name: any number of "first N",
// "after N", "together N" and "only METHOD", a name such as "wrong-blob", its arguments. "FAULT with
// FAULT" is [Over].
func New(script ...string) (packtest.Fault, error) {
	if i := slices.Index(script, "with"); i >= 0 {
		outer, err := New(script[:i]...)
		if err != nil {
			return packtest.Fault{}, err
		}
		inner, err := New(script[i+1:]...)
		return Over(outer, inner), err
	}
	w := &words{rest: script}
	name := w.text()
	if limit := limits()[name]; limit != nil {
		only := limit(w)
		if w.err != nil {
			return packtest.Fault{}, fmt.Errorf("fault %s: %w", name, w.err)
		}
		inner, err := New(w.rest...)
		if err != nil {
			return packtest.Fault{}, err
		}
		return only(inner), nil
	}
	for _, form := range forms() {
		if known, _, _ := strings.Cut(form.usage, " "); known == name {
			return form.parse(w)
		}
	}
	return packtest.Fault{}, fmt.Errorf("no fault is named %+q: there are %s", name, strings.Join(names(), ", "))
}

// limits lists the words before a fault.
func limits() map[string]func(*words) func(packtest.Fault) packtest.Fault {
	return map[string]func(*words) func(packtest.Fault) packtest.Fault{
		"first": func(w *words) func(packtest.Fault) packtest.Fault {
			n := int64(w.number())
			return func(f packtest.Fault) packtest.Fault { return First(n, f) }
		},
		"after": func(w *words) func(packtest.Fault) packtest.Fault {
			n := int64(w.number())
			return func(f packtest.Fault) packtest.Fault { return After(n, f) }
		},
		"together": func(w *words) func(packtest.Fault) packtest.Fault {
			n := int64(w.number())
			return func(f packtest.Fault) packtest.Fault { return Together(n, f) }
		},
		"only": func(w *words) func(packtest.Fault) packtest.Fault {
			method := w.text()
			return func(f packtest.Fault) packtest.Fault { return Only(method, f) }
		},
	}
}

// Usages returns New's faults, with their arguments, in lexical order.
func Usages() []string {
	var usages []string
	for _, form := range forms() {
		usages = append(usages, form.usage)
	}
	return usages
}

func names() []string {
	names := Usages()
	for i := range names {
		names[i], _, _ = strings.Cut(names[i], " ")
	}
	return names
}

func (f form) parse(w *words) (packtest.Fault, error) {
	fault := f.build(w)
	if w.err == nil && len(w.rest) > 0 {
		w.err = fmt.Errorf("too many arguments")
	}
	if w.err != nil {
		return packtest.Fault{}, fmt.Errorf("fault %s: %w", f.usage, w.err)
	}
	return fault, nil
}

// words returns arguments one by one and keeps the first error.
type words struct {
	rest []string
	err  error
}

func (w *words) text() string {
	if len(w.rest) == 0 {
		if w.err == nil {
			w.err = fmt.Errorf("an argument is missing")
		}
		return ""
	}
	word := w.rest[0]
	w.rest = w.rest[1:]
	return word
}

func (w *words) optional(missing string) string {
	if len(w.rest) == 0 {
		return missing
	}
	return w.text()
}

func (w *words) any() string {
	if word := w.text(); word != "any" {
		return word
	}
	return ""
}

func (w *words) number() int {
	word := w.text()
	n, err := strconv.Atoi(word)
	if w.err == nil && (err != nil || n < 0) {
		w.err = fmt.Errorf("%+q is not a number of at least 0", word)
	}
	return n
}

func (w *words) digest() ociref.Digest {
	word := w.any()
	if word == "" {
		return ""
	}
	digest, err := ociref.ParseDigest(word)
	if w.err == nil {
		w.err = err
	}
	return digest
}
