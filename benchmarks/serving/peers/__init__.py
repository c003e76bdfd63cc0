"""The same model behind other servers, each as its own documentation would have it; run in environments of their own.

Each module is a program: `python MODULE.py MODEL PORT`, one worker, one thread inside the runtime.
"""
