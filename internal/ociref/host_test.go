package ociref

import "testing"

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
