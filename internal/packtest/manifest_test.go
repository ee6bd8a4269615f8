package packtest

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

func TestPutManifestTagAndDelete(t *testing.T) {
	r := StartRegistry(t, Options{})
	body := []byte("not JSON\n")
	digest, err := r.PutManifest("x", "one", ociIndex, body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.PutManifest("x", digest.String(), ociIndex, body); err != nil {
		t.Error(err)
	}
	_, err = r.PutManifest("x", digest.String(), ociIndex, nil)
	reply.WantError(t, err, "manifest of x has digest "+ociref.DigestOf(nil).String()+", not "+digest.String())
	if err := r.Tag("x", "two", digest); err != nil {
		t.Fatal(err)
	}
	if err := r.Tag("x", "three", ociref.DigestOf(nil)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("tag of a missing manifest: %v", err)
	}
	if err := r.Delete("x", "one"); err != nil {
		t.Fatal(err)
	}
	unknown := `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}` + "\n"
	reply.Want(t, reply.Ask(t, r, "GET", "/v2/x/manifests/one"), 404, unknown)
	reply.Want(t, reply.Ask(t, r, "GET", "/v2/x/manifests/two"), 200, string(body))
	if err := r.Delete("x", digest.String()); err != nil {
		t.Fatal(err)
	}
	reply.Want(t, reply.Ask(t, r, "GET", "/v2/x/manifests/two"), 404, unknown)
	reply.Want(t, reply.Ask(t, r, "GET", "/v2/x/tags/list"), 200, `{"name":"x","tags":[]}`+"\n")
	reply.Want(t, reply.Ask(t, r, "GET", "/v2/y/manifests/two"), 404, `{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}`+"\n")
	if err := r.Delete("y", "two"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("delete in a missing repository: %v", err)
	}
}

func TestManifestsOverTheNetwork(t *testing.T) {
	r := StartRegistry(t, Options{})
	put := func(reference, body string) reply.Reply {
		req, err := http.NewRequest("PUT", r.URL()+"/v2/x/manifests/"+reference, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x")
		resp, err := r.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		return reply.Reply{Response: resp, Body: got, Err: err}
	}
	digest := ociref.DigestOf([]byte("body")).String()
	for _, reference := range []string{"tag", digest} {
		got := put(reference, "body")
		reply.Want(t, got, 201, "")
		reply.WantHeader(t, got, "Docker-Content-Digest", digest)
		reply.Want(t, reply.Ask(t, r, "GET", got.Header.Get("Location")), 200, "body")
	}
	reply.Want(t, put(digest, "other"), 400, `{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]}`+"\n")
	reply.Want(t, reply.Ask(t, r, "DELETE", "/v2/x/manifests/tag"), 202, "")
	reply.Want(t, reply.Ask(t, r, "DELETE", "/v2/x/manifests/tag"), 404, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`+"\n")
	reply.Want(t, reply.Ask(t, r, "POST", "/v2/x/manifests/tag"), 405, `{"errors":[{"code":"UNSUPPORTED","message":"method is not supported"}]}`+"\n")
}

func TestTagPages(t *testing.T) {
	r := StartRegistry(t, Options{TagPage: 2})
	digest := MustPush(t, r, "x", "", Artifact{}).ManifestDigest
	for _, tag := range []string{"c", "a", "e", "d", "b"} {
		if err := r.Tag("x", tag, digest); err != nil {
			t.Fatal(err)
		}
	}
	var pages [][]string
	for next := "/v2/x/tags/list"; next != ""; {
		got := reply.Ask(t, r, "GET", next)
		var list struct{ Tags []string }
		if err := json.Unmarshal(got.Body, &list); err != nil {
			t.Fatal(err)
		}
		pages = append(pages, list.Tags)
		next, _, _ = strings.Cut(strings.TrimPrefix(got.Header.Get("Link"), "<"), ">")
	}
	if want := [][]string{{"a", "b"}, {"c", "d"}, {"e"}}; !reflect.DeepEqual(pages, want) {
		t.Errorf("pages = %q, want %q", pages, want)
	}
	reply.Want(t, reply.Ask(t, r, "GET", "/v2/x/tags/list?n=1&last=aa"), 200, `{"name":"x","tags":["b"]}`+"\n")
	reply.Want(t, reply.Ask(t, r, "GET", "/v2/x/tags/list?last=z"), 200, `{"name":"x","tags":[]}`+"\n")
	reply.Want(t, reply.Ask(t, r, "GET", "/v2/x/tags/list?n=many"), 400, `{"errors":[{"code":"PAGINATION_NUMBER_INVALID","message":"invalid number of results requested"}]}`+"\n")
	reply.Want(t, reply.Ask(t, r, "GET", "/v2/y/tags/list"), 404, `{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}`+"\n")
}
