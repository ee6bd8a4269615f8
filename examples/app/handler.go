package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"example.com/app/internal/packs"
)

// A servedPack is a pack and the archive that it is.
type servedPack struct {
	packs.Pack
	archive *zip.Reader
}

// A handler answers requests for packs.
type handler struct {
	packs  []servedPack // sorted by name
	byName map[string]servedPack
}

// newHandler returns the routes of the server:
//
//	GET /                     the packs, as HTML
//	GET /packs                the packs, as JSON
//	GET /packs/NAME           the files of a pack, as JSON
//	GET /packs/NAME/PATH...   a file of a pack
//	GET /healthz              "ok"
func newHandler(all []packs.Pack) (http.Handler, error) {
	h := &handler{byName: map[string]servedPack{}}
	for _, pack := range all {
		archive, err := zip.NewReader(pack.Reader(), pack.Size()) // copies nothing
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", pack.Name(), err)
		}
		served := servedPack{pack, archive}
		h.packs = append(h.packs, served)
		h.byName[pack.Name()] = served
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.index)
	mux.HandleFunc("GET /packs", h.list)
	mux.HandleFunc("GET /packs/{name}", h.files)
	mux.HandleFunc("GET /packs/{name}/{path...}", h.file)
	mux.HandleFunc("GET /healthz", health)
	return mux, nil
}

// A description says of a pack where it is from, and which bytes it has.
type description struct {
	Name    string `json:"name"`
	Version string `json:"version"` // the tag of the reference
	Ref     string `json:"ref"`
	Digest  string `json:"digest"` // of the pack's bytes
	Size    int64  `json:"size"`
}

func (p servedPack) describe() description {
	return description{Name: p.Name(), Version: tag(p.Ref()), Ref: p.Ref(), Digest: p.LayerDigest(), Size: p.Size()}
}

// tag returns the tag of a reference host/repository:tag@digest; "" if it has none.
func tag(ref string) string {
	name, _, _ := strings.Cut(ref, "@")
	_, tag, _ := strings.Cut(path.Base(name), ":")
	return tag
}

func (h *handler) describeAll() []description {
	all := []description{} // JSON has [] for no packs
	for _, pack := range h.packs {
		all = append(all, pack.describe())
	}
	return all
}

var indexPage = template.Must(template.New("index").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Packs</title>
<h1>Packs</h1>
<table>
<tr><th>name<th>version<th>bytes<th>digest
{{range .}}<tr><td><a href="/packs/{{.Name}}">{{.Name}}</a><td>{{.Version}}<td>{{.Size}}<td><code>{{.Digest}}</code>
{{end}}</table>
</html>
`))

func (h *handler) index(w http.ResponseWriter, _ *http.Request) {
	var page bytes.Buffer
	if err := indexPage.Execute(&page, h.describeAll()); err != nil {
		http.Error(w, "cannot show the packs", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(page.Bytes())
}

func (h *handler) list(w http.ResponseWriter, _ *http.Request) { writeJSON(w, h.describeAll()) }

// files lists the files of a pack.
func (h *handler) files(w http.ResponseWriter, r *http.Request) {
	pack, ok := h.byName[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	names := []string{}
	for _, file := range pack.archive.File {
		if !file.FileInfo().IsDir() {
			names = append(names, file.Name)
		}
	}
	writeJSON(w, struct {
		description
		Files []string `json:"files"`
	}{pack.describe(), names})
}

// file serves one file of a pack. The pack's digest is its ETag: with another pack, the
// file may be another.
func (h *handler) file(w http.ResponseWriter, r *http.Request) {
	pack, ok := h.byName[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	name := r.PathValue("path")
	data, err := fs.ReadFile(pack.archive, name)
	if err != nil { // there is none, it is a folder, or its name is no name of a file
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", contentType(name))
	header.Set("ETag", `"`+pack.LayerDigest()+`"`)
	// What a publisher has put into a pack does not run as part of this site.
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
}

func health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("ok\n"))
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.Encode(value) // an error is the client's, who has gone
}
