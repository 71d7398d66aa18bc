package codec

import (
	"reflect"
	"unsafe"
)

// mostBoxed is the size of the largest type of which reflection has a zero value
// ready.
const mostBoxed = 1024

// words is what an interface is: its type, or the methods of that, and where the
// value is, or the value itself if it is a pointer.
type words struct{ typ, data unsafe.Pointer }

// boxed returns the value that target, which reflect.New has made, points to.
// Nobody may use target any more: if it can, the value stays where it is, where
// target.Elem().Interface() would copy it into memory of its own.
func boxed(target reflect.Value) any {
	t := target.Type().Elem()
	if t.Size() == unsafe.Sizeof(uintptr(0)) || t.Size() > mostBoxed || t.Kind() == reflect.Interface {
		// It may be what an interface holds itself instead of pointing to it;
		// or to make a zero value for its type costs more than to copy it.
		return target.Elem().Interface()
	}
	zero := reflect.Zero(t).Interface()
	(*words)(unsafe.Pointer(&zero)).data = target.UnsafePointer()
	return zero
}
