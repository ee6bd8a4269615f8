package ociref

import (
	"strings"
	"testing"
)

func TestCanonicalHost(t *testing.T) {
	for host, want := range map[string]string{
		"ghcr.io":                   "ghcr.io",
		"GHCR.io":                   "ghcr.io",
		"ghcr.io:443":               "ghcr.io",
		"ghcr.io:00443":             "ghcr.io",
		"ghcr.io:5000":              "ghcr.io:5000",
		"ghcr.io:05000":             "ghcr.io:5000",
		"docker.io":                 "docker.io",
		"index.docker.io":           "docker.io",
		"Registry-1.docker.io:443":  "docker.io",
		"index.docker.io:5000":      "index.docker.io:5000",
		"docker.io.example":         "docker.io.example",
		"localhost:80":              "localhost:80",
		"[2001:DB8::1]":             "[2001:db8::1]",
		"[2001:db8:0::0.0.0.1]:443": "[2001:db8::1]",
		"[::1]:5000":                "[::1]:5000",
		"192.0.2.1:443":             "192.0.2.1",
		"pRe:0443":                  "pre:443",
		"localhost:443":             "localhost",
		"docker.io:00443":           "docker.io",
		"Index.docker.io:0443":      "docker.io",
		"registry-1.docker.io":      "docker.io",
		"docker.io:5000":            "docker.io:5000",
		"hub.docker.io":             "hub.docker.io",
		"[2001:DB8:0:0:0:0:0:1]":    "[2001:db8::1]",
		"[2001:db8::0.0.0.1]:0443":  "[2001:db8::1]",
		"[0:0:0:0:0:0:0:1]:05000":   "[::1]:5000",
		"":                          "",
	} {
		if got := CanonicalHost(host); got != want {
			t.Errorf("CanonicalHost(%q) = %q, want %q", host, got, want)
		}
		if again := CanonicalHost(want); again != want {
			t.Errorf("CanonicalHost(%q) = %q", want, again)
		}
	}
}

func TestCanonicalName(t *testing.T) {
	for text, want := range map[string]string{
		"oci://Index.Docker.io:443/acme/packs:1.0.0@sha256:" + strings.Repeat("a", 64): "docker.io/acme/packs",
		"pRe:0443/a": "pre:443/a",
	} {
		ref, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := ref.CanonicalName(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if _, err := Parse(want); err != nil {
			t.Error(err)
		}
	}
}
