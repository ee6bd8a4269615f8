// Package topic has the help that is about no single command.
package topic

import (
	"embed"
	"path"
	"strings"
)

// A Topic is a text that "packvendor help NAME" prints.
type Topic struct {
	Name  string
	Title string // the first line of the text
	Text  string // plain text for a terminal of 80 columns, with its title
}

// files are the texts. A line without indentation that ends without punctuation is a
// heading, or a paragraph of one line. Two spaces begin a term, six its definition, and
// four an example.
//
//go:embed *.txt
var files embed.FS

// All returns the topics, sorted by name.
func All() []Topic {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // the files are part of the program
	}
	var topics []Topic
	for _, entry := range entries {
		topics = append(topics, read(entry.Name()))
	}
	return topics
}

func read(file string) Topic {
	text, err := files.ReadFile(file)
	if err != nil {
		panic(err) // likewise
	}
	title, _, _ := strings.Cut(string(text), "\n")
	return Topic{Name: strings.TrimSuffix(file, path.Ext(file)), Title: title, Text: string(text)}
}

// Find returns the topic with that name.
func Find(name string) (Topic, bool) {
	for _, t := range All() {
		if t.Name == name {
			return t, true
		}
	}
	return Topic{}, false
}
