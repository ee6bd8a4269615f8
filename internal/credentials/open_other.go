//go:build !unix

package credentials

const openNoWait = 0
