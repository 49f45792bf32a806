"""Values to tables and text: for people, and for the machines of CI."""
