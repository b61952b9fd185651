package spec

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// source is a file of the document.
type source struct {
	name   string // as it was given
	text   string // without a byte order mark
	marked bool   // there was one
	tree   *tree  // nil before it is parsed, and again once it is understood

	lines []int // offsets of the lines' ends; nil until a place is asked for
}

const byteOrderMark = "\ufeff"

// lineColumn returns the line and the column, both from 1, of an offset.
func (s *source) lineColumn(offset int) (line, column int) {
	if s.lines == nil {
		s.lines = []int{}
		for i := range len(s.text) {
			if s.text[i] == '\n' {
				s.lines = append(s.lines, i)
			}
		}
	}
	line, _ = slices.BinarySearch(s.lines, offset)
	if line == 0 {
		return 1, 1 + offset
	}
	return 1 + line, offset - s.lines[line-1]
}

// offset is the inverse of lineColumn, for a place in the text.
func (s *source) offset(line, column int) int {
	s.lineColumn(0)
	start := 0
	if line > 1 {
		start = s.lines[line-2] + 1
	}
	return start + column - 1
}

// place names an offset, for messages about two places.
func (s *source) place(offset int) string {
	line, column := s.lineColumn(offset)
	return fmt.Sprintf("%s:%d:%d", s.name, line, column)
}

// readSources reads what the command line names, directories with their files.
func readSources(paths []string, stdin io.Reader) ([]*source, error) {
	var files []string
	for _, p := range paths {
		found, err := expand(p)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	sources := make([]*source, 0, len(files))
	for i, name := range files {
		if slices.Contains(files[:i], name) {
			return nil, fmt.Errorf("%s: given twice", name)
		}
		data, err := readFile(name, stdin)
		if err != nil {
			return nil, err
		}
		text, marked := strings.CutPrefix(string(data), byteOrderMark)
		sources = append(sources, &source{name: name, text: text, marked: marked})
	}
	return sources, nil
}

func readFile(name string, stdin io.Reader) ([]byte, error) {
	if name != "-" {
		return os.ReadFile(name)
	}
	data, err := io.ReadAll(stdin)
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return data, nil
}

// expand returns the documents of a directory, sorted, or the path itself.
func expand(path string) ([]string, error) {
	if path == "-" {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		// Editors keep their copies in hidden files.
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		switch filepath.Ext(e.Name()) {
		case ".yaml", ".yml", ".json":
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no *.yaml, *.yml or *.json in it", path)
	}
	return files, nil
}

// parse makes the source's tree. What looks like JSON is read as JSON, whatever
// the file is called; what is called otherwise than *.json may be YAML all the same.
func (s *source) parse() []*syntaxError {
	if err := checkText(s.text); err != nil {
		return []*syntaxError{err}
	}
	start := strings.TrimLeft(s.text, " \t\r\n")
	isJSON := filepath.Ext(s.name) == ".json"
	if !isJSON && !strings.HasPrefix(start, "{") {
		t, problems := parseYAML(s.text)
		s.tree = t
		return problems
	}
	t, err := parseJSON(s.text)
	if err == nil {
		s.tree = t
		return nil
	}
	if isJSON {
		return []*syntaxError{err}
	}
	// A map in braces may be YAML. With its first key in quotes it is more likely to be JSON.
	t, problems := parseYAML(s.text)
	if t == nil && strings.HasPrefix(strings.TrimLeft(start[1:], " \t\r\n"), "\"") {
		return []*syntaxError{err}
	}
	s.tree = t
	return problems
}
