package codec

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/topos-go/topos/actor"
)

var textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()

// basicTypes are those that every node knows.
func basicTypes() []Type {
	return []Type{
		{false, "bool"}, {"", "string"},
		{int(0), "int"}, {int8(0), "int8"}, {int16(0), "int16"}, {int32(0), "int32"}, {int64(0), "int64"},
		{uint(0), "uint"}, {uint8(0), "uint8"}, {uint16(0), "uint16"}, {uint32(0), "uint32"}, {uint64(0), "uint64"},
		{float32(0), "float32"}, {float64(0), "float64"},
		{time.Time{}, "time.Time"}, {time.Duration(0), "time.Duration"},
		{actor.PID{}, "actor.PID"},
		{struct{}{}, "struct{}"},
	}
}

// maxComposed bounds how many types made of others a peer can have this node
// keep: reflection never gives such types back.
const maxComposed = 4096

// maxNesting bounds how deeply they may be made of each other.
const maxNesting = 8

// names translates between types and their names. Registered types are fixed;
// those made of them ([]T, map[K]V, *T) are worked out when they are met.
type names struct {
	byName map[string]reflect.Type
	byType map[reflect.Type]string

	composed sync.Map // name → reflect.Type, and reflect.Type → name
	mu       sync.Mutex
	count    int
}

func (n *names) init() {
	n.byName = make(map[string]reflect.Type)
	n.byType = make(map[reflect.Type]string)
}

func (n *names) add(name string, t reflect.Type) error {
	if strings.ContainsAny(name, " \t\r\n") && name != "struct{}" || strings.HasPrefix(name, "[") || strings.HasPrefix(name, "map[") {
		return fmt.Errorf("codec: %q cannot be the name of a type", name)
	}
	if other, ok := n.byName[name]; ok && other != t {
		return fmt.Errorf("codec: %q names both %v and %v", name, other, t)
	}
	if other, ok := n.byType[t]; ok && other != name {
		return fmt.Errorf("codec: %v is registered both as %q and as %q", t, other, name)
	}
	n.byName[name], n.byType[t] = t, name
	return nil
}

// has reports whether t is registered itself.
func (n *names) has(t reflect.Type) bool {
	_, ok := n.byType[t]
	return ok
}

// typeName is the name of t if it is not registered under another.
func typeName(t reflect.Type) string {
	if t.Kind() == reflect.Pointer && t.Name() == "" {
		return "*" + typeName(t.Elem())
	}
	if t.PkgPath() == "" {
		return t.String()
	}
	return t.PkgPath() + "." + t.Name()
}

var errUnregistered = errors.New("it is not registered")

// nameOf returns the name of a type that the other side can know. If lenient,
// a type that is not registered has one too, for a receiver that is told
// otherwise what to expect.
func (n *names) nameOf(t reflect.Type, lenient bool) (string, error) {
	if name, ok := n.byType[t]; ok {
		return name, nil
	}
	if name, ok := n.composed.Load(t); ok {
		return name.(string), nil
	}
	if t.Name() == "" {
		if name, err := n.compose(t, lenient); err == nil || !lenient {
			return name, err
		}
	}
	if lenient {
		return typeName(t), nil
	}
	return "", fmt.Errorf("%w: %v", errUnregistered, t)
}

// compose names a type made of others.
func (n *names) compose(t reflect.Type, lenient bool) (string, error) {
	var name string
	switch t.Kind() {
	case reflect.Slice, reflect.Pointer:
		elem, err := n.nameOf(t.Elem(), lenient)
		if err != nil {
			return "", err
		}
		name = "[]" + elem
		if t.Kind() == reflect.Pointer {
			name = "*" + elem
		}
	case reflect.Map:
		key, err := n.nameOf(t.Key(), lenient)
		if err != nil {
			return "", err
		}
		elem, err := n.nameOf(t.Elem(), lenient)
		if err != nil {
			return "", err
		}
		name = "map[" + key + "]" + elem
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return "any", nil
		}
		fallthrough
	default:
		return "", fmt.Errorf("%w: %v", errUnregistered, t)
	}
	if !lenient {
		n.remember(t, name)
	}
	return name, nil
}

func (n *names) remember(key, value any) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.count >= maxComposed {
		return false
	}
	n.count++
	n.composed.Store(key, value)
	return true
}

// typeOf is the inverse of nameOf.
func (n *names) typeOf(name string) (reflect.Type, bool) {
	if t, ok := n.byName[name]; ok {
		return t, true
	}
	if t, ok := n.composed.Load(name); ok {
		return t.(reflect.Type), true
	}
	t, rest, ok := n.parse(name, maxNesting)
	if !ok || rest != "" || !n.remember(name, t) {
		return nil, false
	}
	return t, true
}

// parse reads a type from the beginning of s.
func (n *names) parse(s string, depth int) (t reflect.Type, rest string, ok bool) {
	if depth == 0 {
		return nil, "", false
	}
	if after, found := strings.CutPrefix(s, "[]"); found {
		if t, rest, ok = n.parse(after, depth-1); ok {
			return reflect.SliceOf(t), rest, true
		}
		return nil, "", false
	}
	if after, found := strings.CutPrefix(s, "map["); found {
		key, rest, ok := n.parse(after, depth-1)
		if !ok || !key.Comparable() || key.Kind() == reflect.Interface || !strings.HasPrefix(rest, "]") {
			return nil, "", false
		}
		elem, rest, ok := n.parse(rest[1:], depth-1)
		if !ok {
			return nil, "", false
		}
		return reflect.MapOf(key, elem), rest, true
	}
	end := strings.IndexByte(s, ']')
	if end < 0 {
		end = len(s)
	}
	name, rest := s[:end], s[end:]
	if t, found := n.byName[name]; found {
		return t, rest, true
	}
	if name == "any" && depth < maxNesting {
		return reflect.TypeFor[any](), rest, true
	}
	if after, found := strings.CutPrefix(s, "*"); found {
		if t, rest, ok = n.parse(after, depth-1); ok {
			return reflect.PointerTo(t), rest, true
		}
	}
	return nil, "", false
}
