"""Commands in drawn hostile environments: disk, name, variables, input; each ends well or says in one line why not."""
