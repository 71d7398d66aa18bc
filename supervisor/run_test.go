package supervisor_test

func reexecuted() bool { return false }
