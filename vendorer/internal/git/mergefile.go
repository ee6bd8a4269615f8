package git

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// MergeFile merges three files as text and writes the result to ours, as git does without a merge
// driver. Conflicts, which stand in the result, are no error; binary files are one.
// https://git-scm.com/docs/git-merge-file
func MergeFile(ctx context.Context, base, ours, theirs string) error {
	command := exec.CommandContext(ctx, "git", "merge-file", "-q", "-L", "ours", "-L", "base", "-L", "theirs", "--", ours, base, theirs)
	command.Env = environment()
	err := command.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &exit) && exit.ExitCode() > 0 && exit.ExitCode() <= maxConflicts:
		return nil
	case err != nil:
		return fmt.Errorf("git merge-file: %w", err)
	}
	return nil
}

// maxConflicts is the highest exit code of git merge-file that counts conflicts. The codes above
// are errors, and after a signal there is none: ExitCode is -1.
const maxConflicts = 127
