package main

import (
	"regexp"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/topic"
)

// A helpPart is a part of a text of help, from which pages in other forms are made.
type helpPart struct {
	kind  partKind
	text  string // verbatim, or of an entry, without its indentation
	terms string // of an entry alone
}

type partKind int

const (
	paragraph partKind = iota
	heading
	verbatim
	entry
)

// commandText divides the text of a command: indented lines are verbatim.
func commandText(text string) []helpPart {
	var blocks []helpPart
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		kind := paragraph
		if strings.HasPrefix(part, "  ") {
			kind, part = verbatim, unindented(part, "  ")
		}
		blocks = append(blocks, helpPart{kind: kind, text: part})
	}
	return blocks
}

// topicText divides the text of a topic, without its title: see package topic.
func topicText(t topic.Topic) []helpPart {
	var blocks []helpPart
	for part := range strings.SplitSeq(strings.TrimSpace(strings.TrimPrefix(t.Text, t.Title)), "\n\n") {
		switch {
		case strings.HasPrefix(part, "    "):
			blocks = append(blocks, helpPart{kind: verbatim, text: unindented(part, "    ")})
		case strings.HasPrefix(part, "  "):
			blocks = append(blocks, entries(part)...)
		case !strings.ContainsAny(part, "\n") && !strings.ContainsAny(part[len(part)-1:], ".:"):
			blocks = append(blocks, helpPart{kind: heading, text: part})
		default:
			blocks = append(blocks, helpPart{kind: paragraph, text: part})
		}
	}
	return blocks
}

// entries divides terms and their definitions.
func entries(part string) []helpPart {
	var blocks []helpPart
	for line := range strings.Lines(part) {
		if !strings.HasPrefix(line, "      ") {
			blocks = append(blocks, helpPart{kind: entry, terms: strings.TrimSpace(line)})
			continue
		}
		last := &blocks[len(blocks)-1]
		last.text = strings.TrimSpace(last.text + "\n" + strings.TrimSpace(line))
	}
	return blocks
}

func unindented(text, indent string) string {
	return strings.ReplaceAll("\n"+text, "\n"+indent, "\n")[1:]
}

// markdown renders blocks.
func markdown(blocks []helpPart) string {
	var b strings.Builder
	for i, part := range blocks {
		if i > 0 && (part.kind != entry || blocks[i-1].kind != entry) {
			b.WriteString("\n")
		}
		switch part.kind {
		case heading:
			b.WriteString("## " + part.text + "\n")
		case verbatim:
			b.WriteString("    " + strings.ReplaceAll(part.text, "\n", "\n    ") + "\n")
		case entry:
			b.WriteString("- " + markdownTerms(part.terms) + ": " + strings.ReplaceAll(markdownText(part.text), "\n", "\n  ") + "\n")
		default:
			b.WriteString(markdownText(part.text) + "\n")
		}
	}
	return b.String()
}

// markdownTerms renders the terms of an entry, which commas separate, as code.
func markdownTerms(terms string) string {
	if strings.HasPrefix(terms, ">") { // a range has a comma
		return "`" + terms + "`"
	}
	return "`" + strings.ReplaceAll(terms, ", ", "`, `") + "`"
}

// code finds commands in quotes, flags and variables.
var code = regexp.MustCompile(`"packvendor[^"]*"|"-o -"|\$?[A-Z]+(_[A-Z]+)+(=[a-z]+)?|(^|\s)--?[a-z][a-z-]*(=[a-z]+)?`)

// markdownText renders a paragraph.
func markdownText(text string) string {
	return code.ReplaceAllStringFunc(text, func(word string) string {
		space := word[:len(word)-len(strings.TrimLeft(word, " \n"))]
		return space + "`" + strings.Trim(word, " \n\"") + "`"
	})
}
