package vendorer

import (
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/printable"
)

// A LinkFault says what is wrong with a pack of a program.
type LinkFault string

const (
	FaultNotLinked      LinkFault = "not-linked"      // the program does not have a locked pack
	FaultNotLocked      LinkFault = "not-locked"      // no given packs.lock has a pack of the program
	FaultBytesAbsent    LinkFault = "bytes-absent"    // the bytes that the marker names are not there
	FaultBytesUnknown   LinkFault = "bytes-unknown"   // they were not looked for to the end
	FaultBytesOther     LinkFault = "bytes-other"     // other bytes are in their place
	FaultOtherContent   LinkFault = "other-content"   // the marker names other bytes than packs.lock
	FaultOtherReference LinkFault = "other-reference" // the same bytes, by another reference or manifest
)

// A LinkError reports a pack of a program that is not as it should be.
type LinkError struct {
	Program string
	Package string // the import path of the pack's Go package; "" if it is unknown
	Name    string
	Fault   LinkFault
	Lock    string // the packs.lock that has the pack; "" if none has
	// Difference is what the program has and what is locked, a line each; "" if the fault says
	// it all.
	Difference string
	// Architectures are those that do not have the pack, if some of a universal file have it.
	Architectures []string
}

// What a program says is foreign text.
const (
	maxMarkerWord = 200 // bytes of it in a message
	maxMarkerLine = 2000
)

func (e *LinkError) Error() string {
	text := e.subject()
	switch e.Fault {
	case FaultNotLinked:
		text += " is not linked"
		if len(e.Architectures) > 0 {
			text += " for " + strings.Join(e.Architectures, ", ")
		}
	case FaultNotLocked:
		text += " is in no packs.lock that was given"
	case FaultBytesAbsent:
		text += ": the program has the marker, but not the bytes"
	case FaultBytesUnknown:
		text += ": the bytes were not found, and too many places look like them"
	case FaultBytesOther:
		text += ": the program has other bytes than its marker says"
	case FaultOtherContent:
		text += ": the program has other bytes than " + printable.Line(e.Lock, maxMarkerLine)
	case FaultOtherReference:
		text += ": the program has the pack of another reference than " + printable.Line(e.Lock, maxMarkerLine)
	}
	if e.Difference != "" {
		text += "\n" + e.Difference
	}
	return text
}

// subject names the pack: by its packs.lock if the program does not have it, else by its package.
func (e *LinkError) subject() string {
	text := printable.Line(e.Program, maxMarkerLine) + ": " + printable.Word(e.Name, maxMarkerWord)
	switch {
	case e.Fault == FaultNotLinked:
		text += " of " + printable.Line(e.Lock, maxMarkerLine)
	case e.Package != "":
		text += " of " + printable.Word(e.Package, maxMarkerWord)
	}
	return text
}

// IsAboutBytes tells whether the program has wrong bytes.
func (e *LinkError) IsAboutBytes() bool {
	return e.Fault == FaultBytesOther || e.Fault == FaultOtherContent
}

// difference returns two lines of foreign text.
func difference(got, want string) string {
	return "\tgot:  " + printable.Line(got, maxMarkerLine) + "\n\twant: " + printable.Line(want, maxMarkerLine)
}

// A NoMarkerError reports a program that has no pack of a packs.lock.
type NoMarkerError struct {
	Program string
	Lock    string // "" if the program has no markers at all
	Package string // the import path of the Go package of Lock; "" if it is unknown
	// Architecture is the one of a universal file that has none; "" if no one has.
	Architecture string
}

func (e *NoMarkerError) Error() string {
	text := printable.Line(e.Program, maxMarkerLine)
	if e.Architecture != "" {
		text += ": its program for " + e.Architecture
	}
	switch lock := printable.Line(e.Lock, maxMarkerLine); {
	case e.Lock == "":
		return text + " has no markers of packs"
	case e.Package != "":
		return fmt.Sprintf("%s has no marker of %s, the package of %s", text, printable.Word(e.Package, maxMarkerWord), lock)
	default:
		return fmt.Sprintf("%s has no marker of a pack of %s", text, lock)
	}
}

// A MalformedMarkersError reports a program with markers that no release of packvendor writes.
type MalformedMarkersError struct {
	Program string
	Count   int // of those that differ
}

func (e *MalformedMarkersError) Error() string {
	text := "%s has %d malformed markers: something changed them, so nobody knows which packs they named"
	if e.Count == 1 {
		text = "%s has %d malformed marker: something changed it, so nobody knows which pack it named"
	}
	return fmt.Sprintf(text, printable.Line(e.Program, maxMarkerLine), e.Count)
}
