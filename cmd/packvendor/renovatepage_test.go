package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const presetFile = "default.json" // the name that Renovate reads in "github>OWNER/REPOSITORY"

var jsonBlock = regexp.MustCompile("(?s)```json[^\n]*\n(.*?)```\n")

// renovateBlocks returns the configurations that docs/renovate.md shows.
func renovateBlocks(t *testing.T) (texts []string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "renovate.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range jsonBlock.FindAllStringSubmatch(strings.ReplaceAll(string(page), "\r\n", "\n"), -1) {
		texts = append(texts, block[1])
	}
	if len(texts) == 0 {
		t.Fatal("docs/renovate.md has no configuration")
	}
	return texts
}

// renovateJSON returns the first one, for every user.
func renovateJSON(t *testing.T) string {
	t.Helper()
	return renovateBlocks(t)[0]
}

// The bot that the page shows may run the command that it shows, and no longer one.
func TestPresetCommand(t *testing.T) {
	var bot struct{ AllowedCommands []string }
	var user struct {
		PackageRules []struct{ PostUpgradeTasks struct{ Commands []string } }
	}
	blocks := renovateBlocks(t)
	for _, text := range blocks {
		if err := json.Unmarshal([]byte(text), &bot); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.Unmarshal([]byte(blocks[len(blocks)-1]), &user); err != nil || len(bot.AllowedCommands) != 1 {
		t.Fatalf("%v, %v", bot, err)
	}
	allowed, command := regexp.MustCompile(bot.AllowedCommands[0]), user.PackageRules[0].PostUpgradeTasks.Commands[0]
	if !allowed.MatchString(command) || allowed.MatchString(command+"; true") {
		t.Errorf("%s: %s", allowed, command)
	}
}

// The author of the commits that repair packs.lock is one whom Renovate ignores.
func TestPresetAuthor(t *testing.T) {
	var page struct{ GitIgnoredAuthors []string }
	if err := json.Unmarshal([]byte(renovateJSON(t)), &page); err != nil || len(page.GitIgnoredAuthors) != 1 {
		t.Fatalf("%v, %v", page, err)
	}
	job, err := os.ReadFile(filepath.Join("..", "..", "vendorer", "internal", "scaffold", "ci", "renovate", ".github", "workflows", "packvendor-lock.yml"))
	if err != nil {
		t.Fatal(err)
	}
	author := page.GitIgnoredAuthors[0]
	for _, line := range []string{`git config user.email "` + author + `"`, `"gitIgnoredAuthors": ["` + author + `"]`} {
		if !strings.Contains(string(job), line) {
			t.Errorf("the job has no line %s", line)
		}
	}
}
