"""How a store comes to be, is opened, brought up to date, copied and put back."""
