package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// The exit statuses.
const (
	statusFailed = 1 // what was asked for was done, and found something wrong, or could not be
	statusUsage  = 2 // what was asked for makes no sense
)

// errUsage is what is wrong with the arguments.
var errUsage = errors.New("usage")

// errFound is that something was found wrong, which has been said already.
var errFound = errors.New("violations")

// execute runs the command that args say and returns its exit status.
func execute(ctx context.Context, args []string, out, errOut io.Writer) int {
	root := newRoot()
	root.SetArgs(doubleDashes(root, args))
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFound) && !errors.Is(err, context.Canceled):
		return statusFailed
	case errors.Is(err, errUsage):
		_, _ = fmt.Fprintf(errOut, "topos: %v\n", strings.TrimPrefix(err.Error(), errUsage.Error()+": "))
		return statusUsage
	}
	_, _ = fmt.Fprintf(errOut, "topos: %v\n", err)
	return statusFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "topos",
		Short:         "Supervised actors on a cluster: tools",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%w: unknown command %q; see topos --help", errUsage, args[0])
			}
			return nil
		},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(newSim(), newRegistry())
	return root
}

// doubleDashes makes "--flag" of "-flag", as the go command's flags are written,
// for flags that there are. A single letter is left alone, and so is what
// follows "--".
func doubleDashes(root *cobra.Command, args []string) []string {
	cmd, _, err := root.Find(args)
	if err != nil {
		cmd = root
	}
	list := make([]string, len(args))
	for i, arg := range args {
		if arg == "--" {
			copy(list[i:], args[i:])
			break
		}
		list[i] = arg
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && len(name) > 1 && !strings.HasPrefix(name, "-") &&
			(cmd.Flags().Lookup(name) != nil || name == "help") {
			list[i] = "-" + arg
		}
	}
	return list
}
