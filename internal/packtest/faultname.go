package packtest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
)

// faultForm is a fault as scripts write it.
type faultForm struct {
	usage string // its name, then its arguments; one in brackets may be missing
	build func(*words) Fault
}

// faultForms lists the faults by name. Digests and references may be "any".
// Go calls the functions in an argument list from left to right, so the
// arguments are read in the order in which they stand.
func faultForms() []faultForm {
	return []faultForm{
		{"abort-blob DIGEST BYTES", func(w *words) Fault { return AbortBlob(w.digest(), w.number()) }},
		{"ansi-error PREFIX STATUS", func(w *words) Fault { return ErrorBody(w.text(), w.number(), []byte(ANSI)) }},
		{"big-error PREFIX STATUS BYTES", func(w *words) Fault { return ErrorBody(w.text(), w.number(), padded(nil, w.number())) }},
		{"challenge PREFIX WWW-AUTHENTICATE", func(w *words) Fault {
			return Status(w.text(), http.StatusUnauthorized, http.Header{"WWW-Authenticate": {w.text()}})
		}},
		{"drop PREFIX", func(w *words) Fault { return Drop(w.text()) }},
		{"endless-blob DIGEST", func(w *words) Fault { return EndlessBlob(w.digest()) }},
		{"evil-manifest BODY [CONTENT-TYPE]", func(w *words) Fault { return EvilManifest([]byte(w.text()), w.optional(ociManifest)) }},
		{"flip-tag TAG REQUESTS DIGEST", func(w *words) Fault { return FlipTag(w.text(), int64(w.number()), w.digest()) }},
		{"gzip-blob DIGEST", func(w *words) Fault { return GzipBlob(w.digest()) }},
		{"gzip-bomb DIGEST BYTES", func(w *words) Fault { return GzipBomb(w.digest(), int64(w.number())) }},
		{"huge-manifest REFERENCE BYTES", func(w *words) Fault { return HugeManifest(w.any(), w.number()) }},
		{"long-blob DIGEST BYTES", func(w *words) Fault { return LongBlob(w.digest(), w.number()) }},
		{"lying-digest REFERENCE DIGEST", func(w *words) Fault { return LyingDigest(w.any(), w.digest()) }},
		{"manifest-type REFERENCE CONTENT-TYPE", func(w *words) Fault { return ManifestType(w.any(), w.text()) }},
		{"no-range DIGEST", func(w *words) Fault { return NoRange(w.digest()) }},
		{"redirect PREFIX URL", func(w *words) Fault { return Redirect(w.text(), w.text()) }},
		{"redirect-blob DIGEST URL", func(w *words) Fault { return RedirectBlob(w.digest(), w.text()) }},
		{"redirect-loop PREFIX", func(w *words) Fault { return RedirectLoop(w.text()) }},
		{"reset-blob DIGEST BYTES", func(w *words) Fault { return ResetBlob(w.digest(), w.number()) }},
		{"short-blob DIGEST BYTES", func(w *words) Fault { return ShortBlob(w.digest(), w.number()) }},
		{"stall PREFIX", func(w *words) Fault { return Stall(w.text()) }},
		{"stall-blob DIGEST BYTES", func(w *words) Fault { return StallBlob(w.digest(), w.number()) }},
		{"status PREFIX STATUS [RETRY-AFTER]", func(w *words) Fault { return Status(w.text(), w.number(), retryAfter(w.optional(""))) }},
		{"tags-link URL", func(w *words) Fault { return TagsLink(w.text()) }},
		{"wrong-blob DIGEST", func(w *words) Fault { return WrongBlob(w.digest()) }},
	}
}

func retryAfter(value string) http.Header {
	if value == "" {
		return nil
	}
	return http.Header{"Retry-After": {value}}
}

// NewFault returns the fault that the words of a script name: "first N" or
// "after N" as often as wanted, a name such as "wrong-blob", its arguments.
func NewFault(script ...string) (Fault, error) {
	w := &words{rest: script}
	name := w.text()
	if w.err == nil && (name == "first" || name == "after") {
		n := int64(w.number())
		if w.err != nil {
			return Fault{}, fmt.Errorf("fault %s: %w", name, w.err)
		}
		inner, err := NewFault(w.rest...)
		if err != nil {
			return Fault{}, err
		}
		if name == "first" {
			return First(n, inner), nil
		}
		return After(n, inner), nil
	}
	for _, form := range faultForms() {
		if known, _, _ := strings.Cut(form.usage, " "); known == name {
			return form.parse(w)
		}
	}
	return Fault{}, fmt.Errorf("no fault is named %+q: there are %s", name, strings.Join(FaultNames(), ", "))
}

// FaultNames returns the names that NewFault knows, in lexical order.
func FaultNames() []string {
	var names []string
	for _, form := range faultForms() {
		name, _, _ := strings.Cut(form.usage, " ")
		names = append(names, name)
	}
	return names
}

func (f faultForm) parse(w *words) (Fault, error) {
	fault := f.build(w)
	if w.err == nil && len(w.rest) > 0 {
		w.err = fmt.Errorf("too many arguments")
	}
	if w.err != nil {
		return Fault{}, fmt.Errorf("fault %s: %w", f.usage, w.err)
	}
	return fault, nil
}

// words hands out arguments one by one and keeps the first error.
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
