"""Runs JupyterLab until the pipe on its standard input closes: however the process that started it ends, it ends too."""

import os
import signal
import sys
import threading

from jupyterlab.labapp import main


def end_with_parent():
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=end_with_parent, daemon=True).start()
sys.exit(main())
