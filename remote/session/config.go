package session

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Defaults of [Config].
const (
	// DefaultWindow and DefaultWindowBytes are what a stream may have
	// unacknowledged: 10 000 small messages a second over a tenth of a second,
	// or 40 MB a second in large ones; and what a receiver may be made to keep.
	DefaultWindow      = 1024
	DefaultWindowBytes = 4 << 20
	// DefaultRetryMin is far above a round trip and a receiver's AckDelay, so
	// that only what was lost is sent again. DefaultRetryMax is how long a
	// network may be whole again before a stream finds out by itself.
	DefaultRetryMin = time.Second
	DefaultRetryMax = 30 * time.Second
	// DefaultAttempts is, with those waits, about three minutes of silence.
	DefaultAttempts = 10
	// DefaultMaxAge is longer than that, for associations that come and go.
	DefaultMaxAge = 5 * time.Minute
	// DefaultAckEvery is small beside the window, so that a sender in a hurry
	// does not wait for acks; DefaultAckDelay is small beside RetryMin.
	DefaultAckEvery = 64
	DefaultAckDelay = 25 * time.Millisecond
)

const (
	// maxWindow bounds what one receiver can be made to allocate.
	maxWindow = 1 << 20
	// maxRetry keeps sums of times far from overflowing.
	maxRetry = 24 * time.Hour
	// maxAttempts fits a counter of 32 bits.
	maxAttempts = 1 << 30
)

// Config says what a stream is. Both sides should have the same. Zero values
// mean the defaults.
type Config struct {
	// Unordered makes the receiver return messages as they come. It is still
	// once each. Both sides must agree: the sender takes a range in an ack for
	// delivery if it is set, and for safe keeping if not.
	Unordered bool

	// Window is how many consecutive numbers may be unacknowledged, and how far
	// ahead of the first missing one a receiver takes anything. A receiver with
	// a smaller window than its sender's is slower, not wrong.
	Window int
	// WindowBytes bounds the sizes of what a sender retains, and of what a
	// receiver keeps before its turn. A single message may be larger: it is
	// pushed when nothing else is retained, and received in its turn.
	WindowBytes int

	// RetryMin and RetryMax bound the time after which what is unanswered is
	// transmitted again. It follows the measured round trip, doubles each time
	// without news, and is then up to a quarter longer, at random.
	RetryMin, RetryMax time.Duration
	// Attempts is how many transmissions of one message go unanswered for that
	// time before it is given up. Transmissions that an ack or Reconnected asks
	// for before the time is over do not count.
	Attempts int
	// MaxAge is how long after Push a message is given up, transmitted or not,
	// associated or not.
	MaxAge time.Duration

	// AckEvery is how many messages a receiver lets come before an ack is due,
	// and AckDelay for how long the first of them waits for it. What is out of
	// order or doubled is acknowledged at once. AckDelay must be shorter than
	// RetryMin.
	AckEvery int
	AckDelay time.Duration
}

func (c *Config) setDefaults() {
	c.Window = cmp.Or(c.Window, DefaultWindow)
	c.WindowBytes = cmp.Or(c.WindowBytes, DefaultWindowBytes)
	c.RetryMin = cmp.Or(c.RetryMin, DefaultRetryMin)
	c.RetryMax = cmp.Or(c.RetryMax, max(c.RetryMin, DefaultRetryMax))
	c.Attempts = cmp.Or(c.Attempts, DefaultAttempts)
	c.MaxAge = cmp.Or(c.MaxAge, DefaultMaxAge)
	c.AckEvery = cmp.Or(c.AckEvery, DefaultAckEvery)
	c.AckDelay = cmp.Or(c.AckDelay, min(c.RetryMin/2, DefaultAckDelay))
}

// Valid reports all mistakes in c at once. Zero values are none.
func (c Config) Valid() error {
	c.setDefaults()
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("session: "+format, args...))
		}
	}
	check(0 < c.Window && c.Window <= maxWindow, "Config.Window is %d, not in 1…%d", c.Window, maxWindow)
	check(c.WindowBytes > 0, "Config.WindowBytes is %d", c.WindowBytes)
	check(c.RetryMin > 0, "Config.RetryMin is %v", c.RetryMin)
	check(c.RetryMin <= c.RetryMax && c.RetryMax <= maxRetry, "Config.RetryMax is %v, not in %v…%v", c.RetryMax, c.RetryMin, maxRetry)
	check(0 < c.Attempts && c.Attempts <= maxAttempts, "Config.Attempts is %d, not in 1…%d", c.Attempts, maxAttempts)
	check(c.MaxAge > 0, "Config.MaxAge is %v", c.MaxAge)
	check(c.AckEvery > 0, "Config.AckEvery is %d", c.AckEvery)
	check(0 < c.AckDelay && c.AckDelay < c.RetryMin, "Config.AckDelay is %v, not below RetryMin, %v", c.AckDelay, c.RetryMin)
	return errors.Join(errs...)
}

// Defaults of [TableConfig].
const (
	// DefaultMaxStreams is room for 256 shards of each of 16 channels, ordered
	// and not.
	DefaultMaxStreams = 8192
	// DefaultMaxBytes is as much as remote queues for a node by default.
	DefaultMaxBytes = 64 << 20
	// DefaultForget is long beside a pause in a conversation.
	DefaultForget = time.Minute
)

// TableConfig says what a [Table] is. Rand must be given; other zero values
// mean their defaults.
type TableConfig[K comparable] struct {
	// Stream is what each stream is, but for Unordered.
	Stream Config
	// Unordered says which streams are. It must be a pure function, and the
	// same on both sides. Nil means none.
	Unordered func(K) bool
	// MaxStreams bounds the streams that go out, and those that come in.
	MaxStreams int
	// MaxBytes bounds the sizes of what all senders retain, and of what all
	// receivers keep before its turn. A single message may be larger.
	MaxBytes int
	// Forget is after how long an idle, wholly acknowledged sender is forgotten.
	Forget time.Duration
	// Rand jitters waits. It belongs to the Table from then on.
	Rand *rand.Rand
}

func (c *TableConfig[K]) setDefaults() {
	c.Stream.setDefaults()
	c.MaxStreams = cmp.Or(c.MaxStreams, DefaultMaxStreams)
	c.MaxBytes = cmp.Or(c.MaxBytes, DefaultMaxBytes)
	c.Forget = cmp.Or(c.Forget, DefaultForget)
}

// Valid reports all mistakes in c at once. Zero values but Rand are none.
func (c TableConfig[K]) Valid() error {
	c.setDefaults()
	errs := []error{c.Stream.Valid()}
	if c.MaxStreams < 1 {
		errs = append(errs, fmt.Errorf("session: TableConfig.MaxStreams is %d", c.MaxStreams))
	}
	if c.MaxBytes < 1 {
		errs = append(errs, fmt.Errorf("session: TableConfig.MaxBytes is %d", c.MaxBytes))
	}
	if c.Forget < 0 || c.Forget > maxRetry {
		errs = append(errs, fmt.Errorf("session: TableConfig.Forget is %v, not in 0…%v", c.Forget, maxRetry))
	}
	if c.Rand == nil {
		errs = append(errs, errors.New("session: TableConfig.Rand is missing"))
	}
	return errors.Join(errs...)
}
