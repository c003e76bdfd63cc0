"""Capture: what was asked and answered is kept, without the answer waiting for it (decision 66).

buffer      before the answer: a request is numbered and put aside
ends        the number of the last record, in a file that outlives the process
lines       records as JSON lines, without the values of sensitive columns
writer      after the answer: objects of up to some hundred records
endings     what is done when the process is told to end
thread      who calls the writer where a process goes on after its answer
"""
