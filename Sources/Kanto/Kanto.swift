// Kanto
