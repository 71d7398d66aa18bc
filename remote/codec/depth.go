package codec

import (
	"fmt"
	"reflect"
)

// endless reports whether values of t can be nested to any depth.
func endless(t reflect.Type, above []reflect.Type) bool {
	for _, a := range above {
		if a == t {
			return true
		}
	}
	above = append(above, t)
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return endless(t.Elem(), above)
	case reflect.Map:
		return endless(t.Key(), above) || endless(t.Elem(), above)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); (f.IsExported() || f.Anonymous) && endless(f.Type, above) {
				return true
			}
		}
	}
	return false
}

// walk visits v, which is inside levels containers and steps values. It keeps
// values from being encoded that are nested too deeply: they could not be
// decoded, and one that contains itself would overflow the stack, which nothing
// can recover from.
func (c *Codec) walk(v reflect.Value, levels, steps int) error {
	if levels > c.maxDepth || steps > 4*c.maxDepth {
		return fmt.Errorf("it is nested more than %d deep", c.maxDepth)
	}
	steps++
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return c.walk(v.Elem(), levels, steps)
	case reflect.Slice, reflect.Array:
		if flat(v.Type().Elem()) {
			return nil
		}
		for i := range v.Len() {
			if err := c.walk(v.Index(i), levels+1, steps); err != nil {
				return err
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if err := c.walk(it.Key(), levels+1, steps); err != nil {
				return err
			}
			if err := c.walk(it.Value(), levels+1, steps); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() || f.Anonymous {
				if err := c.walk(v.Field(i), levels+1, steps); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// flat reports whether values of t contain nothing.
func flat(t reflect.Type) bool { return t.Kind() < reflect.Array || t.Kind() == reflect.String }
