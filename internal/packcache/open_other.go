//go:build !unix

package packcache

const openNoWait = 0
