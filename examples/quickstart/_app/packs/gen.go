// Package packs holds the packs that packs.toml names.
package packs

//go:generate go tool packvendor
