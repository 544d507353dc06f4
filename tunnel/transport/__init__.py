"""How a local port becomes reachable. A transport knows a port and a URL, and no frame."""
