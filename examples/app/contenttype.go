package main

import (
	"path"
	"strings"
)

// contentTypes are those of the files that packs have, by the ends of their names. The
// table is the same on every machine, unlike that of package mime.
var contentTypes = map[string]string{
	".cbor": "application/cbor",
	".css":  "text/css; charset=utf-8",
	".csv":  "text/csv; charset=utf-8",
	".gif":  "image/gif",
	".htm":  "text/html; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".jpeg": "image/jpeg",
	".jpg":  "image/jpeg",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json",
	".md":   "text/markdown; charset=utf-8",
	".pem":  "application/x-pem-file",
	".png":  "image/png",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
	".wasm": "application/wasm",
	".yaml": "application/yaml",
	".yml":  "application/yaml",
	".ygtc": "application/yaml", // a flow of Greentic
}

// contentType returns the media type of a file by its name.
func contentType(name string) string {
	if known, ok := contentTypes[strings.ToLower(path.Ext(name))]; ok {
		return known
	}
	return "application/octet-stream"
}
