// Package packs holds the packs that are compiled into this program.
package packs

//go:generate go tool -modfile=../../packvendor.mod packvendor -f ../../packs.toml
