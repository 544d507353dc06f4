"""What a run is told as: lines of JSON, JUnit, a terminal matrix, pages of HTML."""
