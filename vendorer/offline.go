package vendorer

import (
	"errors"

	"github.com/greenticai/packvendor/packfetch"
)

// A NetworkOffError reports work that is about tags, which only registries know,
// where Options.Offline is set.
type NetworkOffError struct {
	Work string // "update" or "outdated"
	Err  error  // *packfetch.OfflineError: of the first pack that has a tag
}

func (e *NetworkOffError) Error() string { return e.Work + " needs the network, which is off" }
func (e *NetworkOffError) Unwrap() error { return e.Err }

// mergeTagErrors returns the errors that err joins, all those about tags that cannot be
// followed offline made one: they have one cause.
func mergeTagErrors(work string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var all []error
	told := false
	for _, e := range joined.Unwrap() {
		var offline *packfetch.OfflineError
		if !errors.As(e, &offline) || !offline.Tag && !offline.Tags {
			all = append(all, e)
		} else if !told {
			all, told = append(all, &NetworkOffError{Work: work, Err: offline}), true
		}
	}
	return errors.Join(all...)
}
