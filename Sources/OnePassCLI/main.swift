print("onepass")
