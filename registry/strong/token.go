package strong

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrToken is returned for a text that is not a token's.
var ErrToken = errors.New("strong: malformed token")

// Token is a fencing token: it says which of two owners of a name came later.
// Every acquisition of a name, by whomever, has a higher one than all before
// it, so that who guards a resource, such as a store outside of the cluster,
// can refuse an owner that has been replaced and does not know it yet; see
// [Fence].
//
// Epoch grows whenever an operator begins the registry anew with [NewEpoch].
// Index is the number of the acquisition among all that the registry has
// carried out. The zero Token is below every token that was ever given out.
type Token struct{ Epoch, Index uint64 }

// Compare returns -1 if t is below u, 0 if they are the same and 1 if t is
// above u.
func (t Token) Compare(u Token) int {
	return cmp.Or(cmp.Compare(t.Epoch, u.Epoch), cmp.Compare(t.Index, u.Index))
}

// Less reports whether t is below u.
func (t Token) Less(u Token) bool { return t.Compare(u) < 0 }

// IsZero reports whether t is the token of no owner.
func (t Token) IsZero() bool { return t == Token{} }

// String formats t as "epoch.index", both in decimal.
func (t Token) String() string {
	return strconv.FormatUint(t.Epoch, 10) + "." + strconv.FormatUint(t.Index, 10)
}

// ParseToken is the inverse of [Token.String]. Its errors match [ErrToken].
func ParseToken(s string) (Token, error) {
	epoch, index, ok := strings.Cut(s, ".")
	e, errE := parseCanonical(epoch)
	i, errI := parseCanonical(index)
	if !ok || errE != nil || errI != nil {
		return Token{}, fmt.Errorf("%w: %q", ErrToken, s)
	}
	return Token{Epoch: e, Index: i}, nil
}

// parseCanonical takes only what FormatUint makes, so that a token has a single
// text.
func parseCanonical(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err == nil && strconv.FormatUint(n, 10) != s {
		return 0, ErrToken
	}
	return n, err
}

// MarshalText implements encoding.TextMarshaler with [Token.String].
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with [ParseToken].
func (t *Token) UnmarshalText(text []byte) error {
	u, err := ParseToken(string(text))
	if err != nil {
		return err
	}
	*t = u
	return nil
}
