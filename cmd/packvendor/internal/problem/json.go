package problem

import (
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
)

// JSON is a problem in a document.
type JSON struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Then    string `json:"then,omitempty"` // what the hint shows is what this accepts
}

// NewJSON returns problems for a document, never nil.
func NewJSON(problems []Problem, hints *hint.Context) []JSON {
	list := []JSON{}
	for _, p := range problems {
		list = append(list, JSON{Code: p.Kind.ExitCode(), Message: p.Text, Hint: hints.Text(p.Hint), Then: hints.Text(p.Then)})
	}
	return list
}

// FailureJSON is what went wrong, in a document.
type FailureJSON struct {
	Code     int    `json:"code"`
	Message  string `json:"message"`
	Problems []JSON `json:"problems"`
}

// NewFailureJSON returns nil if there is no problem.
func NewFailureJSON(problems []Problem, hints *hint.Context) *FailureJSON {
	if len(problems) == 0 {
		return nil
	}
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.Text)
	}
	return &FailureJSON{Code: Worst(problems).ExitCode(), Message: strings.Join(texts, "\n"), Problems: NewJSON(problems, hints)}
}
