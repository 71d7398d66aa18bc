package codec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/topos-go/topos/actor"
)

// maxText bounds the text of an error that is sent: enough for a person.
const maxText = 8 << 10

// Failure is an error in its encoded form.
type Failure struct {
	// Errors are the texts of the registered errors it wraps.
	Errors []string
	// Text is its own.
	Text string
}

// RemoteError is an error that came from another node, where it was of a type
// that stays there. errors.Is finds the registered errors that it wrapped.
type RemoteError struct {
	// Text is what its Error method returned there.
	Text    string
	wrapped []error
}

func (e *RemoteError) Error() string { return e.Text }

// Unwrap returns the registered errors that the error wrapped.
func (e *RemoteError) Unwrap() []error { return e.wrapped }

// failures are the registered errors.
type failures struct {
	list   []error
	byText map[string]error
}

// kernelErrors are the errors of package actor that reasons can wrap, and
// those of the standard library that everybody uses.
func kernelErrors() []error {
	return []error{
		actor.ErrNormal, actor.ErrShutdown, actor.ErrKilled, actor.ErrZombie, actor.ErrNoProc,
		actor.ErrNoConnection, actor.ErrGoexit, actor.ErrNilMessage, actor.ErrMailboxFull, actor.ErrTimeout,
		actor.ErrCallSelf, actor.ErrNoReply, actor.ErrReplyType, actor.ErrRequestType, actor.ErrNameTaken,
		actor.ErrInvalidName, actor.ErrIgnore, actor.ErrClosed, actor.ErrNoCluster, actor.ErrTooManyProcesses,
		actor.ErrStashFull, actor.ErrOutcomeUnknown, actor.ErrNoConstructor, ErrUnknownType, ErrEncode, ErrDecode,
		context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF,
	}
}

func (f *failures) init(more []error) error {
	f.byText = make(map[string]error)
	var errs []error
	for _, err := range append(kernelErrors(), more...) {
		if err == nil {
			errs = append(errs, errors.New("codec: Config.Errors has a nil error"))
			continue
		}
		other, taken := f.byText[err.Error()]
		if taken && other != err {
			errs = append(errs, fmt.Errorf("codec: two registered errors have the text %q", err))
		}
		if !taken {
			f.list = append(f.list, err)
			f.byText[err.Error()] = err
		}
	}
	return errors.Join(errs...)
}

// EncodeError encodes err, which must not be nil.
func (c *Codec) EncodeError(err error) Failure {
	f := Failure{Text: clip(errorText(err))}
	for _, known := range c.failures.list {
		if err == known {
			f.Errors = []string{known.Error()}
			return f
		}
	}
	for _, known := range c.failures.list {
		if is(err, known) {
			f.Errors = append(f.Errors, known.Error())
		}
	}
	return f
}

// DecodeError is the inverse of EncodeError. A registered error comes back as
// itself, any other as a [*RemoteError].
func (c *Codec) DecodeError(f Failure) error {
	e := &RemoteError{Text: f.Text}
	for _, text := range f.Errors {
		known := c.failures.byText[text]
		if known == nil {
			continue
		}
		if text == f.Text {
			return known
		}
		e.wrapped = append(e.wrapped, known)
	}
	if e.Text == "" {
		e.Text = "unknown error"
	}
	return e
}

// errorText and is contain what a user's error type can do.
func errorText(err error) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprintf("%T, whose Error method panics", err)
		}
	}()
	return err.Error()
}

func is(err, known error) (yes bool) {
	defer func() {
		if recover() != nil {
			yes = false
		}
	}()
	return errors.Is(err, known)
}

// clip shortens a text and makes it UTF-8, as protobuf demands of strings.
func clip(s string) string {
	if len(s) > maxText {
		s = s[:maxText] + "…"
	}
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	return s
}
