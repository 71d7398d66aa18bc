package wire

// The protocol versions this package speaks. A version is raised when a frame
// changes its meaning; new optional things get a feature bit instead.
const (
	MinVersion = 1
	MaxVersion = 1
)
