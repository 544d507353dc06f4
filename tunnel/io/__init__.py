"""Clock, driver and sockets: everything between the core and the operating system, and no frame is understood here."""
