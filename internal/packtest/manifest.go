package packtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/greenticai/packvendor/internal/ociref"
)

// manifests keeps and serves a registry's manifests and tags. It replaces
// pkg/registry's own, which refuses an index with missing children, lists tags without
// a link to the next page, and keeps a tag whose manifest was deleted: tests need the
// opposite.
type manifests struct {
	opts Options

	mu           sync.Mutex
	repositories map[string]*repository
}

type repository struct {
	manifests map[ociref.Digest]manifest
	tags      map[string]ociref.Digest
	sorted    []string // the tags, nil after a change; read-only
}

type manifest struct {
	mediaType string
	body      []byte
}

func newManifests(opts Options) *manifests {
	return &manifests{opts: opts, repositories: map[string]*repository{}}
}

// put stores body as it is under its digest and, unless it is empty, under tag.
func (m *manifests) put(name, tag, mediaType string, body []byte) ociref.Digest {
	m.mu.Lock()
	defer m.mu.Unlock()
	repo := m.repositories[name]
	if repo == nil {
		repo = &repository{manifests: map[ociref.Digest]manifest{}, tags: map[string]ociref.Digest{}}
		m.repositories[name] = repo
	}
	digest := ociref.DigestOf(body)
	repo.manifests[digest] = manifest{mediaType, slices.Clone(body)}
	if tag != "" {
		repo.sorted, repo.tags[tag] = nil, digest
	}
	return digest
}

// point points tags at a manifest. The error is fs.ErrNotExist.
func (m *manifests) point(name string, digest ociref.Digest, tags []string) error {
	if _, _, err := m.get(name, digest.String()); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	repo := m.repositories[name]
	repo.sorted = nil
	for _, tag := range tags {
		repo.tags[tag] = digest
	}
	return nil
}

// get finds a manifest by tag or digest. The error is fs.ErrNotExist.
func (m *manifests) get(name, reference string) (manifest, ociref.Digest, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	repo := m.repositories[name]
	if repo == nil {
		return manifest{}, "", fmt.Errorf("repository %s: %w", name, fs.ErrNotExist)
	}
	digest := repo.digest(reference)
	found, ok := repo.manifests[digest]
	if !ok {
		return manifest{}, "", fmt.Errorf("manifest %s of %s: %w", reference, name, fs.ErrNotExist)
	}
	return found, digest, nil
}

func (r *repository) digest(reference string) ociref.Digest {
	if IsDigest(reference) {
		return ociref.Digest(reference)
	}
	return r.tags[reference]
}

// delete removes a tag, or a manifest and all its tags. The error is
// fs.ErrNotExist.
func (m *manifests) delete(name, reference string) error {
	_, digest, err := m.get(name, reference)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	repo := m.repositories[name]
	repo.sorted = nil
	if !IsDigest(reference) {
		delete(repo.tags, reference)
		return nil
	}
	delete(repo.manifests, digest)
	for tag, d := range repo.tags {
		if d == digest {
			delete(repo.tags, tag)
		}
	}
	return nil
}

// tagged returns the tags of a repository in lexical order.
func (m *manifests) tagged(name string) (tags []string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	repo := m.repositories[name]
	if repo == nil {
		return nil, false
	}
	if repo.sorted == nil {
		repo.sorted = slices.AppendSeq([]string{}, maps.Keys(repo.tags))
		slices.Sort(repo.sorted)
	}
	return repo.sorted, true
}

// IsDigest reports whether a reference is a digest and not a tag.
func IsDigest(reference string) bool { return strings.Contains(reference, ":") }

// over serves manifests and lists of tags and referrers, and passes the rest to next.
func (m *manifests) over(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, kind, reference := Endpoint(r.URL.Path)
		switch {
		case kind == "manifests":
			m.serve(w, r, name, reference)
		case kind == "tags" && reference == "list" && r.Method == http.MethodGet:
			m.list(w, r, name)
		case kind == "referrers" && m.opts.Referrers && r.Method == http.MethodGet:
			m.listReferrers(w, r, name, reference)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Endpoint splits the path /v2/NAME/KIND/REFERENCE of a request.
func Endpoint(path string) (name, kind, reference string) {
	parts := strings.Split(path, "/")
	if n := len(parts); n >= 5 && parts[1] == "v2" {
		return strings.Join(parts[2:n-2], "/"), parts[n-2], parts[n-1]
	}
	return "", "", ""
}

func (m *manifests) serve(w http.ResponseWriter, r *http.Request, name, reference string) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		found, digest, err := m.get(name, reference)
		if err != nil {
			m.missing(w, name)
			return
		}
		w.Header().Set("Content-Type", found.mediaType)
		w.Header().Set("Content-Length", strconv.Itoa(len(found.body)))
		w.Header().Set("Docker-Content-Digest", digest.String())
		w.Write(found.body)
	case http.MethodPut:
		m.upload(w, r, name, reference)
	case http.MethodDelete:
		if m.delete(name, reference) != nil {
			m.missing(w, name)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	default:
		Refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "method is not supported")
	}
}

func (m *manifests) missing(w http.ResponseWriter, name string) {
	if _, ok := m.tagged(name); !ok {
		Refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
		return
	}
	Refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
}

func (m *manifests) upload(w http.ResponseWriter, r *http.Request, name, reference string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		Refuse(w, http.StatusBadRequest, "MANIFEST_INVALID", "manifest broke off")
		return
	}
	tag := reference
	if IsDigest(reference) {
		if tag = ""; ociref.DigestOf(body).String() != reference {
			Refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content")
			return
		}
	}
	digest := m.put(name, tag, r.Header.Get("Content-Type"), body)
	w.Header().Set("Docker-Content-Digest", digest.String())
	w.Header().Set("Location", "/v2/"+name+"/manifests/"+digest.String())
	w.WriteHeader(http.StatusCreated)
}

// list answers with a page of tags:
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
func (m *manifests) list(w http.ResponseWriter, r *http.Request, name string) {
	tags, ok := m.tagged(name)
	if !ok {
		m.missing(w, name)
		return
	}
	if last := r.URL.Query().Get("last"); last != "" {
		i, found := slices.BinarySearch(tags, last)
		if found {
			i++
		}
		tags = tags[i:]
	}
	n, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("n"), "0"))
	if err != nil || n < 0 {
		Refuse(w, http.StatusBadRequest, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
		return
	}
	if page := m.opts.TagPage; page > 0 && (n == 0 || n > page) {
		n = page
	}
	if n > 0 && n < len(tags) {
		tags = tags[:n]
		next := url.Values{"last": {tags[n-1]}, "n": {strconv.Itoa(n)}}
		w.Header().Set("Link", fmt.Sprintf("</v2/%s/tags/list?%s>; rel=\"next\"", name, next.Encode()))
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"name": name, "tags": tags})
}

// Refuse answers with an error in the form of
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes.
func Refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fault := map[string]string{"code": code, "message": message}
	json.NewEncoder(w).Encode(map[string]any{"errors": []any{fault}})
}

// PutBlob stores data as a blob of the repository and returns its digest.
func (r *Registry) PutBlob(repository string, data []byte) ociref.Digest {
	digest := ociref.DigestOf(data)
	store := r.blobs.(registry.BlobPutHandler)
	err := store.Put(context.Background(), repository, hash(digest), io.NopCloser(bytes.NewReader(data)))
	if err != nil {
		panic("packtest: " + err.Error()) // memory storage does not fail
	}
	return digest
}

func hash(d ociref.Digest) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: d.Hex()} }

// openRanges adds the end to ranges without one ("bytes=100-"): pkg/registry answers
// them with 416, other registries with 206.
func openRanges(blobs registry.BlobHandler, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, kind, reference := Endpoint(r.URL.Path)
		digest, err := ociref.ParseDigest(reference)
		if rng := r.Header.Get("Range"); kind == "blobs" && err == nil && strings.HasSuffix(rng, "-") {
			size, err := blobs.(registry.BlobStatHandler).Stat(r.Context(), "", hash(digest))
			if err == nil {
				r = r.Clone(r.Context())
				r.Header.Set("Range", fmt.Sprintf("%s%d", rng, size-1))
			}
		}
		next.ServeHTTP(w, r)
	})
}
