package vendorer

import "fmt"

// A UsageError reports that something a user names cannot be used, and why.
type UsageError struct{ Subject, Reason string }

func (e *UsageError) Error() string { return e.Subject + " " + e.Reason }

// tooLarge refuses packs that no Go program can embed; holder says whose bytes they
// are.
func tooLarge(holder string, size int64) error {
	return &UsageError{Subject: holder, Reason: fmt.Sprintf("%d bytes: more than %d cannot be linked into a Go program", size, int64(maxEmbedded))}
}
