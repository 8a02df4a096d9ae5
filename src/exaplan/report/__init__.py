"""Records to words, tables, charts and pages: returns text and figures, opens no files, knows no engine."""
