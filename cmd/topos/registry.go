package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/topos-go/topos/registry/strong"
)

const inspectLong = `Shows what there is in the data folder of a node that does not run: whose it is,
the epoch of its data and how new they are. Nothing is changed.

When a majority of the voters is lost for good, compare the folders of those that
have survived: of two in one epoch, the one with the higher term has the newer
data; in one term, the one with the higher last entry.`

const newEpochLong = `Makes the data in a folder those of a new registry with one voter, the folder's
node, when a majority of the voters is lost for good.

It is done once, on the folder with the newest data (see topos registry inspect),
while no node runs. What had been acknowledged and has not come to this folder is
lost. The folder's node is then started as always, the others with empty folders;
one that comes with data of before is refused.

Without --yes it shows what there is and changes nothing.`

func newRegistry() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "registry",
		Short: "Look after the data folders of the strong registry",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%w: unknown command %q; see topos registry --help", errUsage, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "inspect DIR",
			Short: "Show what there is in a data folder",
			Long:  inspectLong,
			Args:  oneFolder,
			RunE: func(cmd *cobra.Command, args []string) error {
				_, err := inspect(cmd.OutOrStdout(), args[0])
				return err
			},
		},
		newNewEpoch())
	return cmd
}

func newNewEpoch() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "new-epoch DIR",
		Short: "Go on with one copy of the data when a majority of the voters is lost for good",
		Long:  newEpochLong,
		Args:  oneFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			return newEpoch(cmd.OutOrStdout(), args[0], yes)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	return cmd
}

func oneFolder(cmd *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return fmt.Errorf("%w: %s needs one folder, and has %q", errUsage, cmd.Name(), args)
	}
	return nil
}

// inspect shows what there is in a folder.
func inspect(out io.Writer, dir string) (strong.Folder, error) {
	f, err := strong.Inspect(dir)
	if err != nil {
		return f, readable(err)
	}
	epoch := fmt.Sprint(f.Epoch)
	switch {
	case f.Interrupted:
		epoch += ", and a new one that was interrupted: call new-epoch again"
	case f.Epoch == 0:
		epoch = "none: there are no data"
	}
	_, err = fmt.Fprintf(out, "node        %s\nepoch       %s\nterm        %d\nlast entry  %d\n", f.Node, epoch, f.Term, f.Last)
	return f, err
}

// newEpoch begins a new epoch with a folder if yes.
func newEpoch(out io.Writer, dir string, yes bool) error {
	f, err := inspect(out, dir)
	switch {
	case err != nil:
		return err
	case f.Epoch == 0:
		return fmt.Errorf("%w: there are no data in %s to go on with", strong.ErrFolder, dir)
	case !yes:
		return fmt.Errorf("%w: nothing was changed; with --yes, %s alone decides from now on, and what only others have is lost", errUsage, f.Node)
	}
	epoch, err := strong.NewEpoch(dir, nil)
	if err != nil {
		return readable(err)
	}
	_, err = fmt.Fprintf(out, "\nepoch %d has begun. Start %s as always, and the others with empty folders.\n", epoch, f.Node)
	return err
}

// readable says what to do about an error of a folder that there is: most often
// its node still runs and has locked it.
func readable(err error) error {
	if errors.Is(err, strong.ErrFolder) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	return fmt.Errorf("%w (its node must not run; if it does not, the folder is damaged)", err)
}
