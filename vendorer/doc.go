// Package vendorer plans and carries out the vendoring of packs into a Go
// package: plan, fetch, stage, commit.
package vendorer
