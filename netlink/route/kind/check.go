package kind

import "fmt"

// required returns the reason why p, the field of the named row, must be set.
func required[T any](name string, p *T) error {
	if p == nil {
		return fmt.Errorf("%s is required", name)
	}
	return nil
}

// on tells whether p is set and true.
func on(p *bool) bool { return p != nil && *p }
