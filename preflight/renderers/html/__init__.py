"""The report as one file of HTML that asks nothing of anybody: to read, to print, to attach to a ticket."""
