"""What every experiment stands on: a study's seeds and grid, findings with their verdict, charts, the report."""
