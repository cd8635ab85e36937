print("kanto")
