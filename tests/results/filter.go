package results

import (
	"encoding/json"
	"io"
)

// Filter writes events to a slow line: the outcome and the attributes of every
// test, but the output only of those that failed, were skipped or never ended.
type Filter struct {
	w       io.Writer
	pending map[string][]Event
	order   []string
}

// NewFilter returns a filter that writes JSON lines to w.
func NewFilter(w io.Writer) *Filter {
	return &Filter{w: w, pending: map[string][]Event{}}
}

// Add passes one event on, or keeps it until its test ends.
func (f *Filter) Add(e Event) error {
	key := e.Package + "\x00" + e.Test
	switch e.Action {
	case "output":
		if _, ok := f.pending[key]; !ok {
			f.order = append(f.order, key)
		}
		f.pending[key] = append(f.pending[key], e)
		return nil
	case "pass":
		delete(f.pending, key)
	case "fail", "skip":
		if err := f.flush(key); err != nil {
			return err
		}
	case "run", "attr":
	default:
		return nil
	}
	return f.write(e)
}

// Close writes the output of the tests that never ended.
func (f *Filter) Close() error {
	for _, key := range f.order {
		if err := f.flush(key); err != nil {
			return err
		}
	}
	return nil
}

func (f *Filter) flush(key string) error {
	for _, e := range f.pending[key] {
		if err := f.write(e); err != nil {
			return err
		}
	}
	delete(f.pending, key)
	return nil
}

func (f *Filter) write(e Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = f.w.Write(append(line, '\n'))
	return err
}
