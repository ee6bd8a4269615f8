package lazyregexp

import "testing"

func TestMustCompile(t *testing.T) {
	lazy := MustCompile(`^a+$`)
	if !lazy().MatchString("aa") || lazy().MatchString("ab") {
		t.Errorf("%s matches otherwise", lazy())
	}
	if first := lazy(); lazy() != first {
		t.Error("it is compiled at each use")
	}
}

// An expression that is not valid is found when it is used, not before.
func TestMustCompileInvalid(t *testing.T) {
	lazy := MustCompile(`(`)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	lazy()
}
