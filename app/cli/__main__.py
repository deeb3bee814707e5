"""``python -m app.cli`` is ``symposia``."""

from app.cli import main

raise SystemExit(main())
