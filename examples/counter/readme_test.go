package main

import (
	"os"
	"strings"
	"testing"
)

func TestTheReadmeShowsThisProgram(t *testing.T) {
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(program), "\ntype Add ")
	if !strings.Contains(string(readme), "```go\ntype Add "+shown+"```") {
		t.Error("README.md does not show the program as it is")
	}
}

func Example() {
	main()
	// Output:
	// 2 <nil>
	// call to counter: cannot add -1
	// 0 <nil>
}
