package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/strictjson"
)

// Bounds on a list of referrers: of all its pages, and of their descriptors. A page is
// bounded by MaxManifestSize.
const (
	maxReferrersPages = 4
	maxReferrers      = 256
)

// readable is the size up to which an index is read, however many entries it has. A larger
// one may have more values than internal/strictjson reads, and still be one.
const readable = 1 << 20

// indexType is the media type of the answer of the referrers API.
const indexType = "application/vnd.oci.image.index.v1+json"

// A Descriptor is a manifest that an index lists, as the index has it.
type Descriptor struct {
	MediaType    string
	ArtifactType string // "" if there is none
	Digest       string // as written
	Size         int64  // bytes
}

// A NoReferrersAPIError reports an answer by which a registry says that it has no
// referrers API. What refers to a manifest is then listed under a tag, if anywhere:
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
type NoReferrersAPIError struct{ Answer string }

func (e *NoReferrersAPIError) Error() string { return "no referrers API: the answer is " + e.Answer }

// A LimitError reports a list that is longer than packvendor reads.
type LimitError struct {
	URL    string // of the list
	Reason string
}

func (e *LimitError) Error() string { return "GET " + e.URL + ": " + e.Reason }

// Referrers asks the referrers API of ref's repository for the manifests whose subject
// has that digest, in the registry's order. artifactType, unless it is "", asks the
// registry to leave out others; it need not obey. Nothing that the list says is proved.
// With a *LimitError or an *Error comes the beginning of the list.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
//
// The specification has 404 for registries without the API. Others are seen to answer
// 400, 405 or 406, to redirect to the pages of their web site, or to send one of these.
//
// Errors: *NoReferrersAPIError, *LimitError, *Error, *ProtocolError.
func (c *Client) Referrers(ctx context.Context, ref ociref.Reference, subject ociref.Digest, artifactType string) ([]Descriptor, error) {
	list := c.host(ref.Registry).url()
	list.Path += ref.Repository + "/referrers/" + string(subject)
	if artifactType != "" {
		list.RawQuery = url.Values{"artifactType": {artifactType}}.Encode()
	}
	var all []Descriptor
	for seen := map[string]bool{}; ; {
		switch {
		case seen[list.RawQuery]:
			return all, listError(list, errors.New("the next page of referrers is one that was there before"))
		case len(seen) == maxReferrersPages:
			return all, &LimitError{URL: redacted(list), Reason: fmt.Sprintf("more than %d pages of referrers", maxReferrersPages)}
		}
		seen[list.RawQuery] = true
		page, next, more, err := c.referrersPage(ctx, ref, subject, list)
		if err != nil && len(seen) == 1 {
			return nil, asNoAPI(err)
		}
		if err != nil {
			return all, laterPage(err)
		}
		if all = append(all, page...); len(all) > maxReferrers {
			return all[:maxReferrers], &LimitError{URL: redacted(list), Reason: fmt.Sprintf("more than %d referrers", maxReferrers)}
		}
		if !more {
			return all, nil
		}
		list.RawQuery = next
	}
}

// referrersPage reads one page, and the query of the next one if there are more.
func (c *Client) referrersPage(ctx context.Context, ref ociref.Reference, subject ociref.Digest, list *url.URL) (page []Descriptor, next string, more bool, err error) {
	err = c.retry(ctx, func(ctx context.Context) error {
		resp, err := c.send(ctx, ref, request{method: http.MethodGet, accept: indexType, stays: true}, list.RequestURI())
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if page, err = readReferrers(resp, list, subject); err != nil {
			return err
		}
		if next, more, err = nextQuery(resp.Header.Values("Link"), list, "referrers"); err != nil {
			return listError(list, err)
		}
		return nil
	})
	return page, next, more, err
}

func readReferrers(resp *http.Response, list *url.URL, subject ociref.Digest) ([]Descriptor, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxManifestSize+1))
	if err != nil {
		return nil, newError(resp.Request, fmt.Errorf("the list of referrers broke off: %w", asTransient(err)))
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	m := Manifest{Body: body, Digest: ociref.DigestOf(body), MediaType: mediaType}
	switch {
	case len(body) > MaxManifestSize:
		return nil, &LimitError{URL: redacted(list), Reason: fmt.Sprintf("a page of referrers is larger than %d bytes", MaxManifestSize)}
	case m.Digest == subject:
		return nil, &NoReferrersAPIError{Answer: "the manifest itself"}
	}
	page, err := ParseIndex(m)
	switch {
	case err != nil && len(body) > readable:
		return nil, &LimitError{URL: redacted(list), Reason: fmt.Sprintf("a page of referrers of %d bytes cannot be read: %v", len(body), err)}
	case err != nil:
		return nil, &NoReferrersAPIError{Answer: "no image index: " + err.Error()}
	}
	return page, nil
}

// asNoAPI makes a NoReferrersAPIError of the registry's own statuses that mean it.
func asNoAPI(err error) error {
	var e *Error
	if !errors.As(err, &e) || !e.own {
		return err
	}
	switch status := e.Status; {
	case status/100 == 3:
		return &NoReferrersAPIError{Answer: fmt.Sprintf("a redirect to another host (%s)", statusText(e))}
	case e.IsAbsent(), status == http.StatusBadRequest, status == http.StatusMethodNotAllowed, status == http.StatusNotAcceptable:
		return &NoReferrersAPIError{Answer: statusText(e)}
	}
	return err
}

// laterPage returns the error of a page that an earlier one has linked to: the registry
// has the API.
func laterPage(err error) error {
	var none *NoReferrersAPIError
	if errors.As(err, &none) {
		return &ProtocolError{Reason: "the next page of referrers is " + none.Answer}
	}
	return err
}

// ParseIndex returns the manifests that an OCI image index lists. The body says whether
// it is one; its Content-Type counts where the body has no mediaType. An error about a body
// of more than 1 MiB may only say that it is too much to read.
// https://github.com/opencontainers/image-spec/blob/main/image-index.md
func ParseIndex(m Manifest) (list []Descriptor, err error) {
	err = strictjson.Read(m.Body, func(o strictjson.Object) {
		mediaType := m.MediaType
		if o.Has("mediaType") {
			mediaType = o.String("mediaType")
		}
		if mediaType != indexType {
			o.Fail("mediaType", "not %s", indexType)
		}
		for _, entry := range o.Objects("manifests") {
			d := Descriptor{MediaType: entry.String("mediaType"), Digest: entry.String("digest"), Size: int64(entry.Int("size"))}
			if entry.Has("artifactType") {
				d.ArtifactType = entry.String("artifactType")
			}
			list = append(list, d)
		}
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// listError returns an Error about a list of pages.
func listError(list *url.URL, err error) error {
	return &Error{Method: http.MethodGet, URL: redacted(list), Host: list.Host, Err: err, RetryAfter: -1}
}
